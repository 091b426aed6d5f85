// A pool of threads that share the iterations of a loop.
//
// Notable choices:
// - The caller works too, so a pool of one has no thread of its own.
// - Threads do not survive a fork: a child process that runs a loop gets a new set of them. Forking while another thread
//   is inside `run` leaves the child with unfinished work.
// - Threads end in the destructor; none is detached.

#pragma once

#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

class Pool {
  public:
    explicit Pool(int size) : size_(size) {}
    ~Pool() { leave(); }
    Pool(const Pool&) = delete;

    int size() const { return size_; }

    // Calls work(worker, i) for every i below count; worker is in 0 … size() - 1. `work` must not throw.
    void run(size_t count, const std::function<void(int, size_t)>& work) {
        if (size_ == 1 || count < 2) {
            for (size_t i = 0; i < count; i++) work(0, i);
            return;
        }
        enter();
        {
            std::lock_guard lock(crew_->mutex);
            crew_->work = &work;
            crew_->count = count;
            crew_->next = 0;
            crew_->working = size_ - 1;
            crew_->round++;
        }
        crew_->start.notify_all();
        crew_->share(0);
        std::unique_lock lock(crew_->mutex);
        crew_->done.wait(lock, [&] { return crew_->working == 0; });
    }

  private:
    struct Crew {
        std::mutex mutex;
        std::condition_variable start, done;
        const std::function<void(int, size_t)>* work = nullptr;
        size_t count = 0;
        std::atomic<size_t> next{0};
        int working = 0;
        unsigned long round = 0;
        bool leaving = false;
        pid_t process = getpid();
        std::vector<std::thread> threads;

        void share(int worker) {
            for (size_t i; (i = next.fetch_add(1)) < count;) (*work)(worker, i);
        }
        void serve(int worker) {
            unsigned long seen = 0;
            for (;;) {
                {
                    std::unique_lock lock(mutex);
                    start.wait(lock, [&] { return leaving || round != seen; });
                    if (leaving) return;
                    seen = round;
                }
                share(worker);
                std::lock_guard lock(mutex);
                if (--working == 0) done.notify_one();
            }
        }
    };

    void enter() {
        if (crew_ && crew_->process == getpid()) return;
        leave();
        crew_ = std::make_unique<Crew>();
        for (int worker = 1; worker < size_; worker++)
            crew_->threads.emplace_back([crew = crew_.get(), worker] { crew->serve(worker); });
    }

    void leave() {
        if (!crew_) return;
        if (crew_->process != getpid()) {   // after a fork its threads do not exist here
            (void)crew_.release();
            return;
        }
        {
            std::lock_guard lock(crew_->mutex);
            crew_->leaving = true;
        }
        crew_->start.notify_all();
        for (std::thread& thread : crew_->threads) thread.join();
        crew_.reset();
    }

    const int size_;
    std::unique_ptr<Crew> crew_;
};
