"""Files of assets with Range, so that players can seek; never a whole file in memory."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath

from asgiref.sync import sync_to_async
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header, http_date, parse_http_date_safe
from django.views.decorators.http import require_safe

from nephos.core import bootstrap
from nephos.library import errors as library_errors
from nephos.library import queries, states
from nephos.web import ranges

_CHUNK_BYTES = 256 * 1024

# Shown in the page; all else is a download, so that no file can run as a page of ours.
_SHOWN = {
    ".mp4": "video/mp4",
    ".ts": "video/mp2t",
    ".vtt": "text/vtt; charset=utf-8",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".m4a": "audio/mp4",
    ".mp3": "audio/mpeg",
    ".webm": "video/webm",
}


@require_safe
async def serve(request: HttpRequest, file_id: int, name: str) -> HttpResponseBase:
    """`/media/<file id>/<name>`; a file that still grows is served as long as it is at this moment."""
    path = await sync_to_async(_registered)(file_id, name)
    try:
        found = await asyncio.to_thread(path.stat)
    except OSError:
        raise Http404("The file is no longer on this machine.") from None
    size, etag = found.st_size, f'"{found.st_mtime_ns:x}-{found.st_size:x}"'
    if etag in _tags(request.headers.get("If-None-Match", "")):
        return _answer(HttpResponse(status=304), path, etag, found.st_mtime)
    try:
        span = ranges.parse(request.headers.get("Range", ""), size=size) if _may_range(request, etag, found) else None
    except ranges.Unsatisfiable:
        refused = HttpResponse(status=416)
        refused.headers["Content-Range"] = f"bytes */{size}"
        return _answer(refused, path, etag, found.st_mtime)
    return _content(request, path, span, found)


def _content(request: HttpRequest, path: Path, span: ranges.Span | None, found: os.stat_result) -> HttpResponseBase:
    start, length = (span.start, span.length) if span else (0, found.st_size)
    asked_for_content = request.method != "HEAD"
    response = StreamingHttpResponse(_read(path, start, length)) if asked_for_content else HttpResponse()
    if span is not None:
        response.status_code = 206
        response.headers["Content-Range"] = span.header(found.st_size)
    response.headers["Content-Length"] = str(length)
    return _answer(response, path, f'"{found.st_mtime_ns:x}-{found.st_size:x}"', found.st_mtime)


def _answer(response: HttpResponseBase, path: Path, etag: str, modified: float) -> HttpResponseBase:
    kind = content_type(path.name)
    response.headers["Content-Type"] = kind or "application/octet-stream"
    disposition = content_disposition_header(as_attachment=kind is None, filename=path.name)
    response.headers["Content-Disposition"] = disposition or "inline"
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["ETag"] = etag
    response.headers["Last-Modified"] = http_date(modified)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def content_type(name: str) -> str | None:
    """The type of a file that browsers may show, None for a download."""
    return _SHOWN.get(PurePosixPath(name).suffix.lower())


def _registered(file_id: int, name: str) -> Path:
    home = bootstrap.loaded().home
    try:
        row = queries.get_file(file_id)
    except library_errors.UnknownAsset as error:
        raise Http404(error.message) from None
    path = queries.locate(row, home)
    if path.name != name:
        raise Http404("There is no such file.")
    below = {states.Place.RECORDINGS: home.recordings, states.Place.PROCESSED: home.processed}.get(
        states.Place(row.place)
    )
    if below is not None and not path.resolve().is_relative_to(below.resolve()):
        raise Http404("The file does not lie where it should.")
    return path


def _may_range(request: HttpRequest, etag: str, found: os.stat_result) -> bool:
    """`If-Range`: a part only fits if the file is still the one that the player knows."""
    condition = request.headers.get("If-Range", "").strip()
    if not condition:
        return True
    if condition.startswith(('"', "W/")):
        return condition == etag
    return parse_http_date_safe(condition) == int(found.st_mtime)


def _tags(header: str) -> set[str]:
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}


async def _read(path: Path, start: int, length: int) -> AsyncIterator[bytes]:
    handle = await asyncio.to_thread(os.open, path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        await asyncio.to_thread(os.lseek, handle, start, os.SEEK_SET)
        while length > 0:
            block = await asyncio.to_thread(os.read, handle, min(_CHUNK_BYTES, length))
            if not block:
                return
            length -= len(block)
            yield block
    finally:
        os.close(handle)
