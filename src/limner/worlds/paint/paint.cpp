// The paint engine: libmypaint paints batches of curves on batches of canvases, on a pool of threads.
//
// Its input is decoded curves, one row of `Curve` each; Python decodes actions into them (curves.py).
//
// Notable choices:
// - Events go through `mypaint_brush_stroke_to_2` with a view zoom of 1 / radius and without spectral blending, which
//   paints what libmypaint 1.3.0 painted. A new brush first strokes on an idle surface, because libmypaint 1.6.0 reads
//   uninitialised settings of a fresh brush.
// - A brush that never draws a random number has no state beyond the public `states`: such a brush is shared by all
//   canvases of a thread, and saving a canvas copies some 40 floats. Any other brush belongs to one canvas, is new after
//   every reset (its generator cannot be rewound) and is restored by replaying its curves.
// - Tracking noise is added here, as in libmypaint 1.3.0. Later versions skip events instead, and with 0.1 s between
//   events a brush that skips several seconds is reset and never paints.
// - Of a large canvas an engine may hold some rows only (surface.h).
// - Brushes work on a canvas of at most 2048 pixels; a larger one is that, scaled. So radii are in proportion at every
//   size, although libmypaint limits them to 1000 pixels.
// - A surface holds no state between curves, so there is one per thread, set to the canvas that is being painted.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "pixels.h"
#include "pool.h"
#include "silence.h"
#include "surface.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

constexpr double kEventSeconds = 0.1f;              // 0.1 rounded to float, a little more than 0.1: at pen-down libmypaint
                                                    // then moves the brush before it applies pressure, as in 2018
constexpr int kBrushCanvas = 2048;                  // the largest canvas that brushes work on
constexpr int kBudgetCanvas = 4096;                 // above it pixels are so many that a curve may cost more
constexpr int64_t kCurveCost = 1 << 28;             // limit of the cost of the dabs of one curve on a 64-pixel canvas

// One row of the array that `step` takes. Lengths in pixels, colour and pressure in [0, 1].
struct Curve {
    double kind;                                    // 0 none, 1 jump to (x1, y1), 2 pen down and paint, 3 paint on
    double x0, y0, xc, yc, x1, y1;                  // quadratic Bézier: start, control, end
    double log_radius;                              // natural logarithm of the brush radius
    double pressure0, pressure1;                    // at the start and at the end, linear in between
    double hue, saturation, value;
};
enum Kind { kNone, kJump, kDown, kOn };
constexpr size_t kColumns = sizeof(Curve) / sizeof(double);

// A brush file, already validated.
struct Recipe {
    std::vector<float> base;                                                  // one value per setting
    std::vector<std::tuple<int, int, std::vector<std::pair<float, float>>>> mappings;  // setting, input, points

    bool varies(MyPaintBrushSetting setting) const {
        return std::any_of(mappings.begin(), mappings.end(), [&](auto& mapping) { return std::get<0>(mapping) == setting; });
    }
    bool uses(MyPaintBrushSetting setting) const { return base[setting] != 0 || varies(setting); }

    // Removes tracking noise from the settings and returns it, in basic radii.
    double take_noise() { return std::exchange(base[MYPAINT_BRUSH_SETTING_TRACKING_NOISE], 0.0f); }

    // Whether the public states are the brush's whole state: no random number has an effect, and no setting that depends
    // on inputs is read before it is computed anew.
    bool is_plain() const {
        for (const auto& mapping : mappings)
            if (std::get<1>(mapping) == MYPAINT_BRUSH_INPUT_RANDOM) return false;
        for (auto setting : {MYPAINT_BRUSH_SETTING_OFFSET_BY_RANDOM, MYPAINT_BRUSH_SETTING_RADIUS_BY_RANDOM})
            if (uses(setting)) return false;
        for (auto setting : {MYPAINT_BRUSH_SETTING_DABS_PER_BASIC_RADIUS, MYPAINT_BRUSH_SETTING_DABS_PER_ACTUAL_RADIUS,
                             MYPAINT_BRUSH_SETTING_DABS_PER_SECOND, MYPAINT_BRUSH_SETTING_GRIDMAP_SCALE,
                             MYPAINT_BRUSH_SETTING_GRIDMAP_SCALE_X, MYPAINT_BRUSH_SETTING_GRIDMAP_SCALE_Y})
            if (varies(setting)) return false;
        return true;
    }

    bool reads_canvas() const { return uses(MYPAINT_BRUSH_SETTING_SMUDGE); }
};

using States = std::array<float, MYPAINT_BRUSH_STATES_COUNT>;
using Brush = std::unique_ptr<MyPaintBrush, decltype(&mypaint_brush_unref)>;

// Pixels, and the state of the brush that paints on them.
struct Canvas {
    std::vector<uint16_t> tiles;                    // [tile rows, tile columns, 64, 64, 4]
    uint64_t draws = 0;                             // random numbers drawn for tracking noise
    States states{};                                // of a plain brush
    std::vector<Curve> history;                     // since the last reset, of any other brush
    std::shared_ptr<const std::vector<uint16_t>> ground;   // tiles to replay on, if the brush reads them
    Brush brush{nullptr, mypaint_brush_unref};      // of any other brush
    std::vector<Dabs> dabs;                         // of each curve of the last step
};

// One saved canvas. Immutable, shared by all copies of a state.
struct Saved {
    std::vector<uint16_t> tiles;
    uint64_t draws;
    States states;
    std::vector<Curve> history;
    std::shared_ptr<const std::vector<uint16_t>> ground;
};

// Saved canvases as Python's bytes, and back: for pickles, which are read by the version that wrote them.
template <class T> nb::bytes pack(const T* values, size_t count) { return nb::bytes(values, count * sizeof(T)); }

template <class T> void unpack(const nb::bytes& bytes, std::vector<T>& values) {
    if (bytes.size() % sizeof(T) != 0) throw std::invalid_argument("no saved canvas of this version");
    values.resize(bytes.size() / sizeof(T));
    std::memcpy(values.data(), bytes.data(), bytes.size());
}

using Packed = std::tuple<nb::bytes, uint64_t, nb::bytes, nb::bytes, nb::bytes>;  // the fields of Saved, in order

Packed pack(const Saved& saved) {
    const auto& ground = saved.ground ? *saved.ground : std::vector<uint16_t>();
    return {pack(saved.tiles.data(), saved.tiles.size()), saved.draws, pack(saved.states.data(), saved.states.size()),
            pack(saved.history.data(), saved.history.size()), pack(ground.data(), ground.size())};
}

Saved unpack(const Packed& packed) {
    const auto& [tiles, draws, states, history, ground] = packed;
    Saved saved{{}, draws, {}, {}, nullptr};
    std::vector<float> numbers;
    std::vector<uint16_t> below;
    unpack(tiles, saved.tiles);
    unpack(states, numbers);
    unpack(history, saved.history);
    unpack(ground, below);
    if (numbers.size() != saved.states.size() || (!below.empty() && below.size() != saved.tiles.size()))
        throw std::invalid_argument("no saved canvas of this version");
    std::copy(numbers.begin(), numbers.end(), saved.states.begin());
    if (!below.empty()) saved.ground = std::make_shared<const std::vector<uint16_t>>(std::move(below));
    return saved;
}

using Array = nb::ndarray<const double, nb::shape<-1, -1, kColumns>, nb::c_contig, nb::device::cpu>;
using Pixels = nb::ndarray<uint8_t, nb::ndim<4>, nb::c_contig, nb::device::cpu>;
using Pictures = nb::ndarray<const uint8_t, nb::ndim<4>, nb::c_contig, nb::device::cpu>;

class Engine {
  public:
    // Of the rows of a canvas those from `top` up to before `bottom` are held.
    Engine(int batch, int size, int top, int bottom, bool color, bool transparent, bool straight, int events, Recipe recipe,
           int threads)
        : size_(size), top_(top), bottom_(bottom), tiles_across_((size + kTile - 1) / kTile), color_(color), alpha_(transparent),
          straight_(straight || transparent), ground_(transparent ? 0 : kOne), events_(events),
          scale_(std::max(1.0f, float(size) / kBrushCanvas)), budget_(kCurveCost * std::min(size * size / 4096, size <= kBudgetCanvas ? 64 : 256)),
          recipe_(std::move(recipe)), noise_(recipe_.take_noise()), plain_(recipe_.is_plain()), canvases_(batch), pool_(threads) {
        for (int i = 0; i < pool_.size(); i++) {
            surfaces_.push_back(std::make_unique<Surface>(size, top, bottom, ground_, scale_));
            brushes_.push_back(plain_ ? new_brush(*surfaces_.back()) : Brush(nullptr, mypaint_brush_unref));
        }
        for (Canvas& canvas : canvases_)
            canvas.tiles.resize(size_t((rows() + kTile - 1) / kTile) * tiles_across_ * kTileValues);
        if (plain_) blank_ = states_of(brushes_[0].get());
    }

    size_t batch() const { return canvases_.size(); }
    int channels() const { return (color_ ? 3 : 1) + (alpha_ ? 1 : 0); }
    bool plain() const { return plain_; }
    bool reads_canvas() const { return recipe_.reads_canvas(); }
    auto dabs() const {
        using Place = std::array<double, 3>;
        std::vector<std::vector<std::tuple<int64_t, int64_t, double, double, Place, Place>>> all(batch());
        for (size_t i = 0; i < batch(); i++)
            for (const Dabs& dabs : canvases_[i].dabs)
                all[i].emplace_back(dabs.made, dabs.laid, dabs.radii, dabs.hardness, dabs.first, dabs.last);
        return all;
    }

    void reset(const std::vector<int64_t>& indices, Pixels out) {
        check(indices, indices.size());
        check(out);
        nb::gil_scoped_release release;
        std::lock_guard lock(busy_);
        pool_.run(indices.size(), [&](int worker, size_t i) {
            const auto index = size_t(indices[i]);
            wipe(canvases_[index], worker);
            std::fill_n(out.data() + index * stride(), stride(), ground_ ? 255 : 0);
        });
    }

    // Blanks all canvases; their brushes go on.
    void clear(Pixels out) {
        check(out);
        nb::gil_scoped_release release;
        std::lock_guard lock(busy_);
        for (Canvas& canvas : canvases_) std::fill(canvas.tiles.begin(), canvas.tiles.end(), ground_);
        std::fill_n(out.data(), batch() * stride(), ground_ ? 255 : 0);
    }

    // Sets canvases to opaque pictures, with new brushes.
    void load(Pictures pictures, const std::vector<int64_t>& indices, Pixels out) {
        if (alpha_) throw std::invalid_argument("pictures are opaque: they cannot be loaded onto a transparent ground");
        check(indices, indices.size());
        check(pictures, indices.size(), "the array of pictures");
        check(out);
        nb::gil_scoped_release release;
        std::lock_guard lock(busy_);
        pool_.run(indices.size(), [&](int worker, size_t i) {
            const auto index = size_t(indices[i]);
            Canvas& canvas = canvases_[index];
            wipe(canvas, worker);
            cover(canvas, pictures.data() + i * stride());
            if (!plain_ && recipe_.reads_canvas())
                canvas.ground = std::make_shared<const std::vector<uint16_t>>(canvas.tiles);
            std::copy_n(pictures.data() + i * stride(), stride(), out.data() + index * stride());
        });
    }

    // Paints curves; returns the number of a canvas on which one was cut short, or -1.
    int64_t step(Array curves, Pixels out) {
        if (curves.shape(0) != batch())
            throw std::invalid_argument("curves must have one row per canvas: expected " + std::to_string(batch()) +
                                        ", got " + std::to_string(curves.shape(0)));
        check(out);
        const size_t count = curves.shape(1);
        const auto* all = reinterpret_cast<const Curve*>(curves.data());
        for (size_t i = 0; i < batch() * count; i++) check(all[i], i / std::max<size_t>(count, 1));
        std::atomic<int64_t> heavy{-1};
        {
            nb::gil_scoped_release release;
            std::lock_guard lock(busy_);
            const Silence silence;
            pool_.run(batch(), [&](int worker, size_t i) {
                if (heavy >= 0) return;
                if (!paint(canvases_[i], all + i * count, count, worker)) heavy = int64_t(i);
                convert(canvases_[i], surfaces_[size_t(worker)]->take_changes(), out.data() + i * stride());
            });
        }
        return heavy;
    }

    std::vector<std::shared_ptr<Saved>> save(const std::vector<int64_t>& indices) {
        check(indices, indices.size());
        std::vector<std::shared_ptr<Saved>> saved(indices.size());
        nb::gil_scoped_release release;
        std::lock_guard lock(busy_);
        pool_.run(indices.size(), [&](int, size_t i) {
            const Canvas& canvas = canvases_[size_t(indices[i])];
            saved[i] = std::make_shared<Saved>(
                Saved{canvas.tiles, canvas.draws, canvas.states, canvas.history, canvas.ground});
        });
        return saved;
    }

    void restore(const std::vector<std::shared_ptr<Saved>>& saved, const std::vector<int64_t>& indices,
                 Pixels out) {
        check(indices, saved.size());
        check(out);
        for (const auto& one : saved)
            if (!one || one->tiles.size() != canvases_[0].tiles.size())
                throw std::invalid_argument("the saved canvas has another size than this renderer's");
        nb::gil_scoped_release release;
        std::lock_guard lock(busy_);
        const Silence silence;
        pool_.run(indices.size(), [&](int worker, size_t i) {
            const auto index = size_t(indices[i]);
            Canvas& canvas = canvases_[index];
            const Saved& source = *saved[i];
            if (plain_) {
                canvas.draws = source.draws;
                canvas.states = source.states;
            } else {
                wipe(canvas, worker);
                if (source.ground) canvas.tiles = *source.ground;
                canvas.ground = source.ground;
                replay(canvas, source.history, worker);
            }
            canvas.tiles = source.tiles;
            convert(canvas, {0, top_, size_, bottom_}, out.data() + index * stride());
        });
    }

  private:
    int rows() const { return bottom_ - top_; }
    size_t stride() const { return size_t(rows()) * size_ * channels(); }

    void check(const std::vector<int64_t>& indices, size_t expected) const {
        if (indices.size() != expected)
            throw std::invalid_argument(std::to_string(expected) + " saved canvases for " +
                                        std::to_string(indices.size()) + " indices");
        std::vector<bool> seen(batch());
        for (int64_t index : indices) {
            if (index < 0 || size_t(index) >= batch() || seen[size_t(index)])
                throw std::invalid_argument("canvas index " + std::to_string(index) + " is repeated or not in 0 … " +
                                            std::to_string(batch() - 1));
            seen[size_t(index)] = true;
        }
    }

    void check(const Pixels& out) const { check(out, batch(), "the output array"); }

    template <class Array4> void check(const Array4& array, size_t count, const char* name) const {
        const std::array<size_t, 4> want{count, size_t(rows()), size_t(size_), size_t(channels())};
        for (size_t i = 0; i < 4; i++)
            if (array.shape(i) != want[i])
                throw std::invalid_argument(std::string(name) + " has length " + std::to_string(array.shape(i)) +
                                            " in axis " + std::to_string(i) + ", must be " + std::to_string(want[i]));
    }

    void check(const Curve& curve, size_t canvas) const {
        const auto* values = reinterpret_cast<const double*>(&curve);
        const double far = 16.0 * size_;
        static const char* names[] = {"kind",       "x0",        "y0",        "xc",  "yc",         "x1",   "y1",
                                      "log_radius", "pressure0", "pressure1", "hue", "saturation", "value"};
        const double low[] = {0, -far, -far, -far, -far, -far, -far, -3, 0, 0, 0, 0, 0};
        const double high[] = {3, far, far, far, far, far, far, 10, 1, 1, 1, 1, 1};
        if (curve.kind != std::floor(curve.kind)) throw std::invalid_argument("a curve's kind must be a whole number");
        for (size_t i = 0; i < kColumns; i++)
            if (!(values[i] >= low[i] && values[i] <= high[i]))
                throw std::invalid_argument("curve on canvas " + std::to_string(canvas) + ": " + names[i] + " is " +
                                            std::to_string(values[i]) + ", must be in " + std::to_string(low[i]) +
                                            " … " + std::to_string(high[i]));
    }

    Brush new_brush(Surface& surface) const {
        Brush brush(mypaint_brush_new(), mypaint_brush_unref);
        for (int i = 0; i < MYPAINT_BRUSH_SETTINGS_COUNT; i++)
            mypaint_brush_set_base_value(brush.get(), MyPaintBrushSetting(i), recipe_.base[size_t(i)]);
        for (const auto& [setting, input, points] : recipe_.mappings) {
            mypaint_brush_set_mapping_n(brush.get(), MyPaintBrushSetting(setting), MyPaintBrushInput(input),
                                        int(points.size()));
            for (size_t i = 0; i < points.size(); i++)
                mypaint_brush_set_mapping_point(brush.get(), MyPaintBrushSetting(setting), MyPaintBrushInput(input),
                                                int(i), points[i].first, points[i].second);
        }
        for (int i = 0; i < 4; i++)   // computes the current values of all settings, on no canvas
            mypaint_brush_stroke_to(brush.get(), mypaint_surface2_to_surface(surface.get()), 0, 0, 0, 0, 0, kEventSeconds);
        lift(brush.get());
        stroke_to(brush.get(), surface, 0, 0, 0, 1);
        return brush;
    }

    static void lift(MyPaintBrush* brush) {
        mypaint_brush_reset(brush);
        mypaint_brush_new_stroke(brush);
    }
    static void stroke_to(MyPaintBrush* brush, Surface& surface, double x, double y, double pressure, float zoom) {
        mypaint_brush_stroke_to_2(brush, surface.get(), float(x), float(y), float(pressure), 0, 0, kEventSeconds, zoom, 0,
                                  0);
    }

    static States states_of(MyPaintBrush* brush) {
        States states;
        for (size_t i = 0; i < states.size(); i++) states[i] = mypaint_brush_get_state(brush, MyPaintBrushState(i));
        return states;
    }

    void wipe(Canvas& canvas, int worker) {
        std::fill(canvas.tiles.begin(), canvas.tiles.end(), ground_);
        canvas.draws = 0;
        if (plain_) {
            canvas.states = blank_;
        } else {
            canvas.history.clear();
            canvas.ground.reset();
            canvas.brush = new_brush(*surfaces_[size_t(worker)]);
        }
    }

    // Covers a canvas with an opaque picture.
    void cover(Canvas& canvas, const uint8_t* picture) const {
        const int colors = channels();
        for (int y = 0; y < rows(); y++)
            for (int x = 0; x < size_; x++, picture += colors) {
                uint16_t* to = canvas.tiles.data() +
                               (size_t(y / kTile) * tiles_across_ + size_t(x / kTile)) * kTileValues +
                               size_t(y % kTile * kTile + x % kTile) * 4;
                for (int k = 0; k < 3; k++) to[k] = fix15(picture[color_ ? k : 0]);
                to[3] = kOne;
            }
    }

    // Paints `count` curves; false when one was cut short.
    bool paint(Canvas& canvas, const Curve* curves, size_t count, int worker) {
        MyPaintBrush* brush = plain_ ? brushes_[size_t(worker)].get() : canvas.brush.get();
        if (plain_)
            for (size_t i = 0; i < canvas.states.size(); i++)
                mypaint_brush_set_state(brush, MyPaintBrushState(i), canvas.states[i]);
        else
            canvas.history.insert(canvas.history.end(), curves, curves + count);
        canvas.dabs.resize(count);
        const bool complete = run(brush, *surfaces_[size_t(worker)], canvas.tiles.data(), canvas.draws, curves, count,
                                  canvas.dabs.data());
        if (plain_) canvas.states = states_of(brush);
        if (plain_ && !complete) brushes_[size_t(worker)] = new_brush(*surfaces_[size_t(worker)]);
        return complete;
    }

    // Brings a new brush to the state after `history`, without painting when it never reads the canvas.
    void replay(Canvas& canvas, const std::vector<Curve>& history, int worker) {
        canvas.history = history;
        run(canvas.brush.get(), *surfaces_[size_t(worker)], recipe_.reads_canvas() ? canvas.tiles.data() : nullptr,
            canvas.draws, history.data(), history.size(), nullptr);
        surfaces_[size_t(worker)]->take_changes();   // the pixels are replaced afterwards
    }

    // `dabs`, if any, takes the dabs of each curve.
    bool run(MyPaintBrush* brush, Surface& surface, uint16_t* tiles, uint64_t& draws, const Curve* curves, size_t count,
             Dabs* dabs) {
        bool complete = true;
        for (size_t i = 0; i < count && complete; i++) {
            const Curve& c = curves[i];
            if (dabs) dabs[i] = {};
            if (c.kind == kNone) continue;
            const float zoom = scale_ / std::exp(float(c.log_radius));
            const double noise = noise_ * std::exp(c.log_radius);
            const auto event = [&](double x, double y, double pressure) {
                if (noise > 0) {
                    x += noise * gauss(draws++);
                    y += noise * gauss(draws++);
                }
                stroke_to(brush, surface, x / scale_, y / scale_, pressure, zoom);
            };
            const auto set = [&](MyPaintBrushSetting id, double value) {
                mypaint_brush_set_base_value(brush, id, float(value));
            };
            surface.begin(brush, tiles, budget_);
            surface.take_dabs();   // those of a new brush
            surface.at(0);
            set(MYPAINT_BRUSH_SETTING_RADIUS_LOGARITHMIC, c.log_radius - std::log(scale_));
            if (c.kind == kJump) {
                lift(brush);
                event(c.x1, c.y1, 0);
            } else {
                set(MYPAINT_BRUSH_SETTING_COLOR_H, c.hue);
                set(MYPAINT_BRUSH_SETTING_COLOR_S, c.saturation);
                set(MYPAINT_BRUSH_SETTING_COLOR_V, c.value);
                if (c.kind == kDown) event(c.x0, c.y0, c.pressure0);
                for (int n = 1; n <= events_ && !surface.exhausted(); n++) {
                    const double t = double(n) / events_, s = 1 - t;
                    surface.at(t);
                    event(s * s * c.x0 + 2 * s * t * c.xc + t * t * c.x1, s * s * c.y0 + 2 * s * t * c.yc + t * t * c.y1,
                          s * c.pressure0 + t * c.pressure1);
                }
            }
            complete = !surface.exhausted();
            if (dabs) dabs[i] = surface.take_dabs();
            surface.end();
        }
        return complete;
    }

    // The n-th of a fixed sequence of roughly normal numbers: the sum of four uniform ones, as in libmypaint.
    static double gauss(uint64_t n) {
        uint64_t z = (n + 1) * 0x9e3779b97f4a7c15;   // SplitMix64
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        z ^= z >> 31;
        const double sum = double((z & 0xffff) + (z >> 16 & 0xffff) + (z >> 32 & 0xffff) + (z >> 48)) / 65536;
        return std::sqrt(3.0) * (sum - 2);
    }

    // Writes the pixels of `box`, which is given in pixels of the whole canvas, to the picture `out` of the rows held.
    void convert(const Canvas& canvas, const Box& box, uint8_t* out) const {
        for (int y = box.y0 - top_; y < box.y1 - top_; y++) {
            for (int x = box.x0 / kTile * kTile; x < box.x1; x += kTile) {
                const int count = std::min(kTile, size_ - x);
                const uint16_t* row = canvas.tiles.data() +
                                      (size_t(y / kTile) * tiles_across_ + size_t(x / kTile)) * kTileValues +
                                      size_t(y % kTile) * kTile * 4;
                uint8_t* to = out + (size_t(y) * size_ + size_t(x)) * channels();
                if (straight_)
                    straighten(row, count, color_ ? 3 : 1, alpha_, to);
                else if (color_)
                    lay_color(row, count, to);
                else
                    lay_grey(row, count, to);
            }
        }
    }

    int size_, top_, bottom_, tiles_across_;
    bool color_, alpha_, straight_;
    uint16_t ground_;
    int events_;
    float scale_;                                     // pixels of the canvas per pixel of the brush
    int64_t budget_;
    Recipe recipe_;
    double noise_;                                    // tracking noise in basic radii
    bool plain_;
    States blank_{};
    std::vector<std::unique_ptr<Surface>> surfaces_;  // one per thread
    std::vector<Brush> brushes_;                      // one per thread, if plain
    std::vector<Canvas> canvases_;
    std::mutex busy_;
    Pool pool_;
};

}  // namespace

NB_MODULE(_paint, m) {
    nb::set_leak_warnings(false);
    m.attr("libmypaint") = LIBMYPAINT_VERSION;  // the version it was built against
    m.def("settings", [] {
        std::vector<std::tuple<std::string, float, float, float>> table;
        for (int i = 0; i < MYPAINT_BRUSH_SETTINGS_COUNT; i++) {
            const auto* info = mypaint_brush_setting_info(MyPaintBrushSetting(i));
            table.emplace_back(info->cname, info->min, info->def, info->max);
        }
        return table;
    }, "Name, lowest, default and highest base value of every brush setting, in libmypaint's order.");
    m.def("inputs", [] {
        std::vector<std::string> names;
        for (int i = 0; i < MYPAINT_BRUSH_INPUTS_COUNT; i++)
            names.emplace_back(mypaint_brush_input_info(MyPaintBrushInput(i))->cname);
        return names;
    }, "Names of the inputs that a setting can depend on, in libmypaint's order.");
    nb::class_<Saved>(m, "Saved", "One saved canvas: pixels and brush.")
        .def("__getstate__", [](const Saved& saved) { return pack(saved); })
        .def("__setstate__", [](Saved& saved, const Packed& packed) { new (&saved) Saved(unpack(packed)); });
    nb::class_<Engine>(m, "Engine", "Canvases and the brushes that paint on them.")
        .def("__init__", [](Engine* self, int batch, int size, int top, int bottom, bool color, bool transparent, bool straight, int events,
                            std::vector<float> base, decltype(Recipe::mappings) mappings, int threads) {
            if (batch < 1 || size < kTile || size > 8192 || events < 1 || threads < 1 ||
                base.size() != MYPAINT_BRUSH_SETTINGS_COUNT)
                throw std::invalid_argument("an engine needs batch, events and threads of at least 1, a size in 64 … 8192, "
                                            "and a base value for every setting");
            if (top < 0 || top % kTile != 0 || bottom <= top || bottom > size)
                throw std::invalid_argument("the rows of an engine must lie in its canvas and begin at a multiple of 64");
            new (self) Engine(batch, size, top, bottom, color, transparent, straight, events, Recipe{std::move(base), std::move(mappings)},
                              threads);
        }, nb::kw_only(), "batch"_a, "size"_a, "top"_a, "bottom"_a, "color"_a, "transparent"_a, "straight"_a, "events"_a, "base"_a,
             "mappings"_a, "threads"_a)
        .def_prop_ro("channels", &Engine::channels, "Values per pixel: 1 or 3, and one more when transparent.")
        .def_prop_ro("plain", &Engine::plain, "Whether saving copies the brush; otherwise restoring replays it.")
        .def_prop_ro("reads_canvas", &Engine::reads_canvas, "Whether what the brush paints depends on what is there.")
        .def_prop_ro("dabs", &Engine::dabs, "Dabs of each curve of the last step on each canvas.")
        .def("reset", &Engine::reset, "indices"_a, "out"_a.noconvert())
        .def("clear", &Engine::clear, "out"_a.noconvert())
        .def("load", &Engine::load, "pictures"_a.noconvert(), "indices"_a, "out"_a.noconvert())
        .def("step", &Engine::step, "curves"_a.noconvert(), "out"_a.noconvert())
        .def("save", &Engine::save, "indices"_a)
        .def("restore", &Engine::restore, "saved"_a, "indices"_a, "out"_a.noconvert());
}
