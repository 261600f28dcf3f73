"""The append-only log: what happened, to what, when. The spine that everything else reads."""
