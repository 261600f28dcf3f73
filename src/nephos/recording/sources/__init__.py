"""Where transport streams come from: one file a kind, all behind `base.Source`."""
