// SPDX-License-Identifier: MIT
// What a cache keeps, seen from inside and by two snapshots:
//
//     rustc -g demo.rs
//     MTRACE_START=0 mtracer run --out demo.mtrace -- ./demo
//     mtracer diff demo.mtrace@empty demo.mtrace@filled
mod mtrace;

fn fill(cache: &mut Vec<Vec<u8>>) {
    for _ in 0..100 {
        cache.push(vec![1; 10_000]);
    }
}

fn main() {
    let mut cache = Vec::with_capacity(100);

    mtrace::start();
    mtrace::snapshot("empty");
    fill(&mut cache);
    mtrace::snapshot("filled");
    cache.truncate(40);
    let (current, peak) = mtrace::get_traced_memory();
    mtrace::stop();

    if !mtrace::is_loaded() {
        println!("not traced");
        return;
    }
    println!("{} bytes, {} at the peak", current, peak);
    match mtrace::get_block(&cache[7][1234]) {
        Some((_, size)) => println!("cache[7] is a block of {} bytes", size),
        None => println!("cache[7] is unknown"),
    }
    let depth = mtrace::get_traceback(cache[7].as_ptr(), &mut []);
    println!("allocated {} calls deep", depth);
}
