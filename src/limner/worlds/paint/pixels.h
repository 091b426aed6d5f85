// Conversion of libmypaint's tiles (premultiplied RGBA in fix15, where 1.0 is 1 << 15) to pixels (uint8).

#pragma once

#include <algorithm>
#include <cstdint>

#include "../cpu.h"

constexpr int kTile = 64;                         // pixels along a tile
constexpr int kTileValues = kTile * kTile * 4;
constexpr uint16_t kOne = 1 << 15;

// fix15 to uint8, correctly rounded.
inline uint8_t byte(uint32_t value) { return uint8_t((255 * std::min<uint32_t>(value, kOne) + kOne / 2) / kOne); }

// The value that `byte` maps to this byte again.
inline uint16_t fix15(uint8_t byte) { return uint16_t((uint32_t(byte) * kOne + 127) / 255); }

// Composites pixels over white: one value per pixel, or three.
FOR_EACH_CPU inline void lay_grey(const uint16_t* in, int count, uint8_t* out) {
    for (int x = 0; x < count; x++) out[x] = byte(uint32_t(in[4 * x]) + kOne - in[4 * x + 3]);
}

FOR_EACH_CPU inline void lay_color(const uint16_t* in, int count, uint8_t* out) {
    for (int x = 0; x < count; x++)
        for (int k = 0; k < 3; k++) out[3 * x + k] = byte(uint32_t(in[4 * x + k]) + kOne - in[4 * x + 3]);
}

// Writes colours divided by alpha, and alpha itself if wanted.
inline void straighten(const uint16_t* in, int count, int colors, bool alpha, uint8_t* out) {
    for (int x = 0; x < count; x++, in += 4) {
        const uint32_t a = in[3];
        for (int k = 0; k < colors; k++) *out++ = a == kOne ? byte(in[k]) : a ? byte((in[k] * uint32_t(kOne) + a / 2) / a) : 0;
        if (alpha) *out++ = byte(a);
    }
}
