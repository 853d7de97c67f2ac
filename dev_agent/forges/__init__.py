"""What a code host is asked and told: issues, pull requests, checks, comments. Judging and landing are `programs`'."""
