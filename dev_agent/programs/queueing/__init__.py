"""The merge queue: heads wait in line, are tested as they would land, and land in that order or are put out.

Rules kept here:
- what lands is the very commit that was judged green, on the very parent it was judged on;
- a head is put out only when all ahead of it has landed, and it was judged red alone, twice, on the tip of that moment;
- heads that are not red on their own land, whatever others in the line do;
- the state is a fold of recorded events (`step`); deciding reads no clock and no repository.

`model`, `events` and `commands` are values; `step` decides; the other modules do what it wants and say what happened.
"""
