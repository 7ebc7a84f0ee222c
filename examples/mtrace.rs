// SPDX-License-Identifier: MIT
//! The functions of libmtrace.h for Rust (editions up to 2021): copy this file and say `mod mtrace;`.
//!
//! Nothing is linked. Without the tracer each function does nothing, and what it returns is false, 0 or None. None of
//! them allocates memory, which would be recorded.
#![allow(dead_code)]

use std::mem::transmute;
use std::os::raw::{c_char, c_int, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};

extern "C" {
    fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
}

const NOT_LOOKED_UP: usize = 1;
const LABEL_SIZE: usize = 256; // more is cut off by the library, too

fn find(kept: &AtomicUsize, name: &str) -> usize {
    let mut address = kept.load(Ordering::Relaxed);
    if address == NOT_LOOKED_UP {
        // No handle is RTLD_DEFAULT; the names below end with a 0.
        address = unsafe { dlsym(null_mut(), name.as_ptr().cast()) } as usize;
        kept.store(address, Ordering::Relaxed);
    }
    address
}

/// The library's function of this name as an Option: 0 is None.
macro_rules! function {
    ($name:literal, $type:ty) => {{
        static KEPT: AtomicUsize = AtomicUsize::new(NOT_LOOKED_UP);
        unsafe { transmute::<usize, Option<$type>>(find(&KEPT, concat!($name, "\0"))) }
    }};
}

fn with_label<R>(label: &str, f: impl FnOnce(*const c_char) -> R) -> R {
    let mut text = [0u8; LABEL_SIZE];
    let size = label.len().min(LABEL_SIZE - 1);
    text[..size].copy_from_slice(&label.as_bytes()[..size]);
    f(text.as_ptr().cast())
}

/// Is the library there?
pub fn is_loaded() -> bool {
    function!("mtrace_start", unsafe extern "C" fn()).is_some()
}

pub fn start() {
    if let Some(f) = function!("mtrace_start", unsafe extern "C" fn()) {
        unsafe { f() }
    }
}

pub fn stop() {
    if let Some(f) = function!("mtrace_stop", unsafe extern "C" fn()) {
        unsafe { f() }
    }
}

pub fn is_tracing() -> bool {
    function!("mtrace_is_tracing", unsafe extern "C" fn() -> c_int).map_or(false, |f| unsafe { f() } != 0)
}

/// (current, peak) in bytes
pub fn get_traced_memory() -> (usize, usize) {
    let (mut current, mut peak) = (0, 0);
    if let Some(f) = function!("mtrace_get_traced_memory", unsafe extern "C" fn(*mut usize, *mut usize)) {
        unsafe { f(&mut current, &mut peak) }
    }
    (current, peak)
}

pub fn reset_peak() {
    if let Some(f) = function!("mtrace_reset_peak", unsafe extern "C" fn()) {
        unsafe { f() }
    }
}

/// Was everything forgotten?
pub fn clear_traces() -> bool {
    function!("mtrace_clear_traces", unsafe extern "C" fn() -> c_int).map_or(false, |f| unsafe { f() } == 0)
}

pub fn mark(label: &str) {
    if let Some(f) = function!("mtrace_mark", unsafe extern "C" fn(*const c_char)) {
        with_label(label, |text| unsafe { f(text) })
    }
}

/// Was it kept?
pub fn snapshot(label: &str) -> bool {
    function!("mtrace_snapshot", unsafe extern "C" fn(*const c_char) -> c_int)
        .map_or(false, |f| with_label(label, |text| unsafe { f(text) }) != 0)
}

/// (address, size) of the recorded block that `p` points into
pub fn get_block<T: ?Sized>(p: *const T) -> Option<(usize, usize)> {
    let f = function!("mtrace_get_block", unsafe extern "C" fn(*const c_void, *mut usize) -> usize)?;
    let mut size = 0;
    let start = unsafe { f(p.cast(), &mut size) };
    if start == 0 {
        None
    } else {
        Some((start, size))
    }
}

/// The return addresses of the stack that the block was allocated on, innermost first: how many were stored, or with an
/// empty slice, how many there are.
pub fn get_traceback<T: ?Sized>(p: *const T, frames: &mut [usize]) -> usize {
    function!("mtrace_get_traceback", unsafe extern "C" fn(*const c_void, *mut usize, usize) -> usize)
        .map_or(0, |f| unsafe { f(p.cast(), frames.as_mut_ptr(), frames.len()) })
}

pub fn get_traceback_limit() -> usize {
    function!("mtrace_get_traceback_limit", unsafe extern "C" fn() -> c_int).map_or(0, |f| unsafe { f() } as usize)
}

/// Bytes that the tracer itself uses
pub fn get_overhead() -> usize {
    function!("mtrace_get_overhead", unsafe extern "C" fn() -> usize).map_or(0, |f| unsafe { f() })
}
