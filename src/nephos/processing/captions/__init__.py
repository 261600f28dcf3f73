"""Captions: read from the stream, written as SubRip, WebVTT and Red Hen text."""
