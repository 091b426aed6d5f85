// Quiet while painting: libmypaint tells by printf that "Time is running backwards!" when rounding leaves a dab less than
// no time. It then goes on with a little, and nobody can do anything about it.

#pragma once

#include <cstdio>
#include <mutex>

#ifdef __GLIBC__

// While one lives, what C code prints goes nowhere. Python has buffers of its own and is not concerned.
class Hush {
  public:
    Hush() {
        std::lock_guard lock(mutex_);
        if (alive_++ == 0 && sink() != nullptr) {
            before_ = stdout;
            stdout = sink();
        }
    }
    Hush(const Hush&) = delete;
    ~Hush() {
        std::lock_guard lock(mutex_);
        if (--alive_ == 0 && sink() != nullptr) stdout = before_;
    }

  private:
    static FILE* sink() {
        static FILE* file = std::fopen("/dev/null", "w");
        return file;
    }
    static inline std::mutex mutex_;
    static inline int alive_ = 0;
    static inline FILE* before_ = nullptr;
};

#else

class Hush {
  public:
    ~Hush() {}
};

#endif
