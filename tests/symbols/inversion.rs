// SPDX-License-Identifier: MIT
//
// inversion.rs - the same in Rust, whose own locks are futexes: pthread mutexes by their C names, in statics of modules.
use std::os::raw::c_int;
use std::thread;

extern "C" {
    fn pthread_mutex_lock(lock: *mut bank::Mutex) -> c_int;
    fn pthread_mutex_unlock(lock: *mut bank::Mutex) -> c_int;
}

mod bank {
    #[repr(C, align(8))]
    pub struct Mutex(pub [u8; 40]);

    pub struct Account {
        pub _id: u64,
        pub lock: Mutex,
    }

    const EMPTY: Account = Account { _id: 0, lock: Mutex([0; 40]) };
    pub static mut ACCOUNTS: [Account; 4] = [EMPTY; 4];
    pub static mut SHARED: Mutex = Mutex([0; 40]);

    #[inline(never)]
    pub fn transfer(from: *mut Mutex, to: *mut Mutex) -> i32 {
        unsafe {
            super::pthread_mutex_lock(from)
                + super::pthread_mutex_lock(to) // LINE rust_to
                + super::pthread_mutex_unlock(to)
                + super::pthread_mutex_unlock(from)
        }
    }
}

fn account() -> *mut bank::Mutex {
    unsafe { std::ptr::addr_of_mut!(bank::ACCOUNTS[2].lock) }
}

fn shared() -> *mut bank::Mutex {
    unsafe { std::ptr::addr_of_mut!(bank::SHARED) }
}

fn main() {
    let first = thread::spawn(|| bank::transfer(account(), shared()) + 1);
    while !first.is_finished() {
        thread::yield_now();
    }
    let second = thread::spawn(|| bank::transfer(shared(), account()) + 1);
    println!("{}", first.join().unwrap() + second.join().unwrap());
}
