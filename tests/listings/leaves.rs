// leaves.rs - a Rust program whose memory can be counted by hand, in both kinds of mangled names.
use std::hint::black_box;

struct Tree<T> {
    value: T,
    leaves: Vec<Box<T>>,
}

impl<T: Clone> Tree<T> {
    #[inline(never)]
    fn grow(&mut self, count: usize) {
        self.leaves.reserve_exact(count);
        for _ in 0..count {
            self.leaves.push(Box::new(self.value.clone()));
        }
    }
}

#[inline(never)]
fn plant() -> (Tree<u64>, Tree<[u8; 100_000]>) {
    let mut small = Tree { value: 1u64, leaves: Vec::new() };
    let mut large = Tree { value: [0u8; 100_000], leaves: Vec::new() };
    small.grow(4);
    large.grow(2);
    (small, large)
}

fn main() {
    let trees = black_box(plant());
    let name = black_box(String::from("eleven byte"));
    std::mem::forget(trees);
    std::mem::forget(name);
}
