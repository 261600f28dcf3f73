"""What the station has: channels, shares, assets (recordings and file sets) and their files."""
