"""Frames into a child's standard input; on Linux by reference instead of by copying."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress
from typing import IO, Any, ClassVar

if sys.platform == "linux":
    import fcntl


class _Span(ctypes.Structure):
    """`struct iovec`."""

    _fields_: ClassVar = [("start", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class FramePipe:
    """Writes blocks to a pipe.

    A large memoryview is not copied where the system lets the pipe refer to its memory (vmsplice(2)
    on Linux; some sandboxes lack it). So its content has to stay as it is until the block after it
    has been written, and the FramePipe has to live until the reader has read everything.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._capacity = 0
        self._vmsplice: Any = None
        self._last: Any = None
        if sys.platform == "linux":
            with suppress(OSError, AttributeError):
                # The most an ordinary user may have: a frame takes 3 turns instead of 50.
                self._capacity = fcntl.fcntl(stream, fcntl.F_SETPIPE_SZ, 1 << 20)
                self._vmsplice = ctypes.CDLL(None, use_errno=True).vmsplice

    def write(self, block: bytes | memoryview) -> None:
        """Write all of a block. Raises OSError, such as BrokenPipeError when nobody reads."""
        # While a smaller block is written, the pipe could still hold some of the one before.
        if self._vmsplice and isinstance(block, memoryview) and block.nbytes >= self._capacity:
            block = block[self._spliced(block) :]
        self._stream.write(block)

    def _spliced(self, block: memoryview) -> int:
        """Let the pipe refer to the block; return how many bytes it took, fewer if it cannot."""
        self._stream.flush()
        self._last = block
        start = ctypes.addressof(ctypes.c_char.from_buffer(block))
        done = 0
        while done < block.nbytes:
            span = _Span(start + done, block.nbytes - done)
            taken = self._vmsplice(self._stream.fileno(), ctypes.byref(span), ctypes.c_ulong(1), 0)
            if taken < 0:
                # Whatever the reason: an ordinary write works, or says it again.
                self._vmsplice = None
                break
            done += taken
        return done
