// Matching: the change of the error of a picture if a template were added to its scene, for many templates.
//
// A pixel is the mean of four samples, and each sample shows the nearest surface. So a template is, for each pixel in
// which it is visible, the depths and the brightness of four samples. Sums are whole numbers, four to a level of a byte.

#pragma once

#include <cstdint>

#include "../cpu.h"

struct Templates {
    int count, shades;
    const int32_t* starts;   // [count + 1]: first row of each template
    const int32_t* pixels;   // [M]: number of the pixel in the picture
    const float* depths;     // [M, 4]
    const uint8_t* bright;   // [M, 4]
    const uint8_t* table;    // [shades, 256]: value of a brightness in each shade of a channel
};

struct Scene {
    const float* depths;     // [P, 4]
    const uint8_t* colours;  // [P, 4, 3]
    const int16_t* errors;   // [P, 3]: picture minus goal
};

// Writes the growth of the squared error, times 16, of each channel with each shade to `out` [count, 3, shades]. Templates
// that cover no wrong pixel are skipped: their growth is left at zero.
FOR_EACH_CPU inline void match(const Templates& all, const Scene& scene, int64_t* out) {
    for (int n = 0; n < all.count; n++, out += 3 * all.shades) {
        for (int k = 0; k < 3 * all.shades; k++) out[k] = 0;
        bool wrong = false;
        for (int i = all.starts[n]; i < all.starts[n + 1] && !wrong; i++) {
            const int16_t* error = scene.errors + 3 * all.pixels[i];
            wrong = error[0] || error[1] || error[2];
        }
        for (int i = all.starts[n]; wrong && i < all.starts[n + 1]; i++) {
            const int pixel = all.pixels[i];
            bool shows[4], any = false;
            for (int k = 0; k < 4; k++) any |= shows[k] = all.depths[4 * i + k] < scene.depths[4 * pixel + k];
            if (!any) continue;
            int before[3], covered[3] = {0, 0, 0};
            for (int c = 0; c < 3; c++) before[c] = 4 * scene.errors[3 * pixel + c];
            for (int k = 0; k < 4; k++)
                for (int c = 0; c < 3; c++) covered[c] += shows[k] ? scene.colours[12 * pixel + 3 * k + c] : 0;
            for (int s = 0; s < all.shades; s++) {
                const uint8_t* shade = all.table + 256 * s;
                int added = 0;
                for (int k = 0; k < 4; k++) added += shows[k] ? shade[all.bright[4 * i + k]] : 0;
                for (int c = 0; c < 3; c++) {
                    const int after = before[c] + added - covered[c];
                    out[all.shades * c + s] += after * after - before[c] * before[c];
                }
            }
        }
    }
}
