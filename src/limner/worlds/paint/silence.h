// Discards what C code prints while libmypaint paints: it prints "Time is running backwards!" where rounding gives a dab a
// negative duration. It then uses a small positive one, so the message asks for nothing.

#pragma once

#include <cstdio>
#include <mutex>

#ifdef __GLIBC__

// While an object of this class exists, the C library's stdout is /dev/null. Python has buffers of its own, which are not
// affected.
class Silence {
  public:
    Silence() {
        std::lock_guard lock(mutex_);
        if (count_++ == 0 && sink() != nullptr) {
            before_ = stdout;
            stdout = sink();
        }
    }
    Silence(const Silence&) = delete;
    ~Silence() {
        std::lock_guard lock(mutex_);
        if (--count_ == 0 && sink() != nullptr) stdout = before_;
    }

  private:
    static FILE* sink() {
        static FILE* file = std::fopen("/dev/null", "w");
        return file;
    }
    static inline std::mutex mutex_;
    static inline int count_ = 0;
    static inline FILE* before_ = nullptr;
};

#else

class Silence {
  public:
    ~Silence() {}
};

#endif
