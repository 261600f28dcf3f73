"""One file per noun; `cli.table` names them and they are imported when they are used."""
