"""Code that talks to storage, one module a kind; `registry` lists them, `base` is what they have in common."""
