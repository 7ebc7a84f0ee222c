# SPDX-License-Identifier: MIT
"""The functions of libmtrace.h for Python: copy this file and say `import mtrace`.

Names and meanings are tracemalloc's where it has the same, but stop() keeps what was recorded. With PYTHONMALLOC=malloc
all that Python allocates is recorded. Without the tracer the functions do nothing, and return False, 0 or None.
"""
from ctypes import CDLL, POINTER, byref, c_char_p, c_int, c_size_t, c_void_p

_process = CDLL(None)  # nothing is loaded


def _find(name, result, *arguments):
    """The library's function, or one that does nothing."""
    function = getattr(_process, "mtrace_" + name, None)
    if function is None:
        return lambda *_: 0
    function.restype, function.argtypes = result, arguments
    return function


is_loaded = hasattr(_process, "mtrace_start")
start = _find("start", None)
stop = _find("stop", None)
reset_peak = _find("reset_peak", None)
get_traceback_limit = _find("get_traceback_limit", c_int)
get_overhead = _find("get_overhead", c_size_t)
_is_tracing = _find("is_tracing", c_int)
_clear_traces = _find("clear_traces", c_int)
_get_traced_memory = _find("get_traced_memory", None, POINTER(c_size_t), POINTER(c_size_t))
_mark = _find("mark", None, c_char_p)
_snapshot = _find("snapshot", c_int, c_char_p)
_get_block = _find("get_block", c_void_p, c_void_p, POINTER(c_size_t))
_get_traceback = _find("get_traceback", c_size_t, c_void_p, POINTER(c_void_p), c_size_t)


def is_tracing():
    return bool(_is_tracing())


def clear_traces():
    """Was everything forgotten?"""
    return is_loaded and _clear_traces() == 0


def get_traced_memory():
    """(current, peak) in bytes"""
    current, peak = c_size_t(), c_size_t()
    _get_traced_memory(byref(current), byref(peak))
    return current.value, peak.value


def mark(label):
    _mark(label.encode())


def snapshot(label):
    """Was it kept?"""
    return bool(_snapshot(label.encode()))


def get_block(address):
    """(address, size) of the recorded block that the address lies in, or None"""
    size = c_size_t()
    start_of_block = _get_block(address, byref(size))
    return (start_of_block, size.value) if start_of_block else None


def get_traceback(address):
    """The return addresses of the stack that this block was allocated on, innermost first, or None"""
    frames = (c_void_p * get_traceback_limit())()
    count = _get_traceback(address, frames, len(frames))
    return frames[:count] if count else None
