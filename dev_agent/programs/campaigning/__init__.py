"""A campaign: one task in many repositories, each of them in its own run, under one budget.

Rules kept here:
- a repository's trouble is its own: it is a row's fate, and the others go on;
- what children that run at once may spend is set aside before they begin, so that together they stay within the budget;
- the state is a fold of recorded events (`step`); deciding reads no clock, no file and no repository;
- a repository's run is named by a key of the campaign, so a child that is begun again takes up the run there is.

`address` and `listing` read what the user wrote; `model`, `events` and `budget` are values; `step` decides; `record`
and `driver` are the shell. What is done in one repository is behind `driver.Hands`: it needs processes and a code host.
"""
