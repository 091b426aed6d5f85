// The surface that libmypaint paints on: the tiles of the current canvas, with checks of every dab.
//
// Notable choices:
// - A dab that touches no pixel of the canvas, or is not finite, is never painted, and a curve whose dabs cost too much is
//   cut short. So no brush file can hang the process or exhaust its memory.
// - libmypaint limits radii to 1000 pixels, so the canvas of the brush may be smaller than the real one.
// - Of the canvas only some rows of tiles may be there, a band. Dabs and tiles keep their places on the whole canvas, so a
//   band has the very pixels that the whole canvas has there.
// - Colours are neither mixed nor sampled spectrally: that is slow, and sampling uses the random numbers of the process.

#pragma once

extern "C" {
#include <mypaint-brush.h>
#include <mypaint-tiled-surface.h>
}

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "pixels.h"

constexpr int64_t kDabCost = 256;    // a dab costs the area of the square around it in pixels, and this much
constexpr float kTooLarge = 4096;    // radius of a dab that exceeds every budget
constexpr float kFar = 1e6;          // beyond every canvas
constexpr int kQueue = 1 << 14;      // largest number of queued pieces of dabs

// The pixels x0 … x1 - 1 by y0 … y1 - 1.
struct Box {
    int x0, y0, x1, y1;
};

// Dabs of a curve: how many the brush made, and how many of them laid paint on the canvas (those that are not too weak, not
// beyond it, and do not erase). Of the latter the sums of radius and hardness, and the first and the last: x, y, and up to
// where on the curve it was made.
struct Dabs {
    int64_t made = 0, laid = 0;
    double radii = 0, hardness = 0;
    std::array<double, 3> first{}, last{};
};

// A libmypaint surface over the tiles of the current canvas; without a canvas it ignores dabs.
class Surface {
  public:
    // `size`: of the square canvas. Of its rows those from `top`, where a tile begins, up to before `bottom` are there.
    // `scale`: pixels of the canvas per pixel of the brush.
    Surface(int size, int top, int bottom, uint16_t ground, float scale)
        : size_(size), top_row_(top), bottom_row_(bottom), scale_(scale), columns_((size + kTile - 1) / kTile),
          ground_(ground), outside_(kTileValues, ground) {
        mypaint_tiled_surface2_init(&hook_.base, tile_start, tile_end);
        hook_.self = this;
        hook_.base.threadsafe_tile_requests = FALSE;
        draw_ = hook_.base.parent.draw_dab_pigment;
        pick_ = hook_.base.parent.get_color_pigment;
        hook_.base.parent.draw_dab_pigment = draw_dab;
        hook_.base.parent.get_color_pigment = get_color;
        hook_.base.parent.parent.draw_dab = draw_idle;
        hook_.base.parent.parent.get_color = get_idle;
    }
    Surface(const Surface&) = delete;
    ~Surface() { mypaint_tiled_surface2_destroy(&hook_.base); }

    MyPaintSurface2* get() { return &hook_.base.parent; }
    // Starts a curve on `tiles` (null: paint nothing), whose dabs may cost `budget` in all.
    void begin(MyPaintBrush* brush, uint16_t* tiles, int64_t budget) {
        brush_ = brush;
        tiles_ = tiles;
        budget_ = budget;
        queued_ = 0;
        mypaint_surface_begin_atomic(&hook_.base.parent.parent);
    }
    void end() {
        mypaint_surface2_end_atomic(&hook_.base.parent, nullptr);
        tiles_ = nullptr;
    }
    bool exhausted() const { return budget_ < 0; }

    // Returns the pixels that curves since the last call may have changed.
    Box take_changes() {
        const Box box{std::max(0, int(left_)), std::max(top_row_, int(top_)), std::min(size_, int(right_) + 1),
                      std::min(bottom_row_, int(bottom_) + 1)};
        left_ = top_ = kFar;
        right_ = bottom_ = -1;
        return box;
    }
    // Says up to where on a curve, from 0 to 1, the next dabs are made.
    void at(double t) { t_ = t; }
    // Returns the dabs since the last call.
    Dabs take_dabs() { return std::exchange(dabs_, {}); }

  private:
    struct Hook {                                   // what libmypaint is given
        MyPaintTiledSurface2 base;                  // first, so that a pointer to it is a pointer to the hook
        Surface* self;
    };

    template <class T> static Surface& of(T* surface) { return *reinterpret_cast<Hook*>(surface)->self; }

    bool inside(const MyPaintTileRequest& r) const {
        return r.tx >= 0 && r.tx < columns_ && r.ty * kTile >= top_row_ && r.ty * kTile < bottom_row_;
    }
    static void tile_start(MyPaintTiledSurface2* surface, MyPaintTileRequest* request) {
        Surface& self = of(surface);
        if (self.inside(*request) && self.tiles_) {
            const int row = request->ty - self.top_row_ / kTile;
            request->buffer = self.tiles_ + size_t(row * self.columns_ + request->tx) * kTileValues;
            return;
        }
        request->buffer = self.outside_.data();
        if (!request->readonly)
            self.dirty_ = true;
        else if (std::exchange(self.dirty_, false))
            std::fill(self.outside_.begin(), self.outside_.end(), self.ground_);
    }
    static void tile_end(MyPaintTiledSurface2*, MyPaintTileRequest*) {}
    // Whether to paint a dab there; stops the brush when its dabs exceed the budget.
    bool admit(float x, float y, float radius) {
        const float reach = radius + 2;
        const bool near = touches(x, y, reach);
        const double area = !near ? 0 : radius < kTooLarge ? 4.0 * reach * reach : 1e12;
        budget_ -= kDabCost + int64_t(area);
        if (budget_ < 0) stop();
        return tiles_ && near && budget_ >= 0;
    }
    bool touches(float x, float y, float reach) const {
        return x + reach > 0 && y + reach > 0 && x - reach < size_ && y - reach < size_;
    }
    bool in_band(float y, float reach) const { return y + reach > top_row_ && y - reach < bottom_row_; }
    // Ends libmypaint's loop over the dabs of an event by making their number zero. The brush cannot be used afterwards.
    void stop() {
        for (auto setting : {MYPAINT_BRUSH_SETTING_DABS_PER_BASIC_RADIUS, MYPAINT_BRUSH_SETTING_DABS_PER_ACTUAL_RADIUS,
                             MYPAINT_BRUSH_SETTING_DABS_PER_SECOND}) {
            mypaint_brush_set_base_value(brush_, setting, 0);
            for (int input = 0; input < MYPAINT_BRUSH_INPUTS_COUNT; input++)
                mypaint_brush_set_mapping_n(brush_, setting, MyPaintBrushInput(input), 0);
        }
    }
    static int draw_dab(MyPaintSurface2* surface, float x, float y, float radius, float r, float g, float b, float opaque,
                        float hardness, float alpha, float ratio, float angle, float lock, float colorize,
                        float posterize, float posterize_num, float) {
        Surface& self = of(surface);
        x *= self.scale_, y *= self.scale_, radius *= self.scale_;
        self.dabs_.made++;
        const float sum = r + g + b + opaque + hardness + alpha + angle + lock + colorize + posterize + posterize_num;
        if (!self.admit(x, y, radius) || !std::isfinite(sum) || !(ratio < 100)) return TRUE;
        if (colorize > 0) {   // where both colours are grey, libmypaint would divide by zero: avoid an exact grey
            r = std::clamp(r, 0.0f, 1.0f);
            if (std::max(std::abs(g - r), std::abs(b - r)) < 16.0f / kOne) g = r + (r > 0.5f ? -16.0f : 16.0f) / kOne;
        }
        const float reach = radius + 2;
        if (!self.in_band(y, reach)) return TRUE;
        self.left_ = std::min(self.left_, x - reach);
        self.right_ = std::max(self.right_, x + reach);
        self.top_ = std::min(self.top_, y - reach);
        self.bottom_ = std::max(self.bottom_, y + reach);
        const int across = int(2 * radius) / kTile + 2;
        if ((self.queued_ += across * across) > kQueue) {
            mypaint_surface2_end_atomic(surface, nullptr);
            self.queued_ = 0;
        }
        const int drawn = self.draw_(surface, x, y, radius, r, g, b, opaque, hardness, alpha, ratio, angle, lock,
                                     colorize, posterize, posterize_num, 0);
        if (drawn && alpha > 0 && self.touches(x, y, radius)) {
            self.dabs_.last = {x, y, self.t_};
            self.dabs_.radii += radius;
            self.dabs_.hardness += hardness;
            if (self.dabs_.laid++ == 0) self.dabs_.first = self.dabs_.last;
        }
        return drawn;
    }
    static void get_color(MyPaintSurface2* surface, float x, float y, float radius, float* r, float* g, float* b,
                          float* alpha, float) {
        Surface& self = of(surface);
        x *= self.scale_, y *= self.scale_, radius *= self.scale_;
        if (self.admit(x, y, radius))
            self.pick_(surface, x, y, radius, r, g, b, alpha, -1);   // -1: the mean, not spectral, of all pixels
        else
            *r = *g = *b = *alpha = float(self.ground_) / kOne;
    }
    static int draw_idle(MyPaintSurface*, float, float, float, float, float, float, float, float, float, float, float,
                         float, float) {
        return TRUE;
    }
    static void get_idle(MyPaintSurface*, float, float, float, float* r, float* g, float* b, float* alpha) {
        *r = *g = *b = *alpha = 1;
    }

    Hook hook_;
    int size_, top_row_, bottom_row_;
    float scale_;
    int columns_;
    uint16_t ground_;
    std::vector<uint16_t> outside_;                 // stands in for all tiles beyond the canvas
    bool dirty_ = false;                           // whether `outside_` was painted on since it was last filled
    MyPaintBrush* brush_ = nullptr;
    uint16_t* tiles_ = nullptr;
    int64_t budget_ = 0;
    int queued_ = 0;
    Dabs dabs_;
    double t_ = 0;
    float left_ = kFar, top_ = kFar, right_ = -1, bottom_ = -1;
    MyPaintSurfaceDrawDabFunction2 draw_;
    MyPaintSurfaceGetColorFunction2 pick_;
};
