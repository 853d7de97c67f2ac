"""What a judged merge looks like elsewhere: pure functions from a `MergeReport` to values and bytes, one form a file.

    verdict.conclusion_of    what a check run concludes, and its one-line title
    remarks.remarks_of       everything that is wrong, each with its place, once for all forms
    annotations              remarks on lines of the head, for the host to show beside the code
    markdown                 the summary of a check run, of a job's step, and of the one comment
    check.check_of           all of that as one check run
    sarif, junit             files other tools read

Every text of others goes through the encoders of `dev_agent.forges.text`, or into a format's own escapes. Nothing here
reads a clock, a repository or a network.
"""
