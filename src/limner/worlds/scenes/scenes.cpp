// Native loops of scenes: averaging pictures to half their size, and matching templates.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdint>
#include <stdexcept>

#include "../cpu.h"
#include "match.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

template <typename T, size_t N>
using Values = nb::ndarray<T, nb::ndim<N>, nb::c_contig, nb::device::cpu>;

// One row of a picture of half the size: rounded means of 2 × 2 pixels of the rows `above` and `below`.
FOR_EACH_CPU inline void halve_row(const uint8_t* above, const uint8_t* below, int count, uint8_t* out) {
    for (int x = 0; x < count; x++)
        for (int k = 0; k < 3; k++)
            out[3 * x + k] = uint8_t((above[6 * x + k] + above[6 * x + 3 + k] + below[6 * x + k] + below[6 * x + 3 + k] + 2) / 4);
}

}  // namespace

NB_MODULE(_scenes, m) {
    m.def("halve", [](Values<const uint8_t, 4> in, Values<uint8_t, 4> out) {
        const size_t size = out.shape(1);
        for (size_t i = 0; i < 4; i++)
            if (in.shape(i) != out.shape(i) * (i == 1 || i == 2 ? 2 : 1) || out.shape(3) != 3 || out.shape(2) != size)
                throw std::invalid_argument("halve takes uint8[N, 2 * S, 2 * S, 3] and writes uint8[N, S, S, 3]");
        nb::gil_scoped_release release;
        for (size_t row = 0; row < out.shape(0) * size; row++)
            halve_row(in.data() + row * size * 12, in.data() + row * size * 12 + size * 6, int(size), out.data() + row * size * 3);
    }, "pictures"_a.noconvert(), "out"_a.noconvert(), "Write pictures at half their size: means of 2 x 2 pixels.");
    m.def("match", [](Values<const int32_t, 1> starts, Values<const int32_t, 1> pixels, Values<const float, 2> depths,
                      Values<const uint8_t, 2> bright, Values<const uint8_t, 2> table, Values<const float, 2> scene_depths,
                      Values<const uint8_t, 3> scene_colours, Values<const int16_t, 2> errors, Values<int64_t, 3> out) {
        const size_t count = out.shape(0), pieces = pixels.shape(0), size = errors.shape(0);
        if (starts.shape(0) != count + 1 || depths.shape(0) != pieces || depths.shape(1) != 4 || bright.shape(0) != pieces ||
            bright.shape(1) != 4 || table.shape(0) != out.shape(2) || table.shape(1) != 256 || scene_depths.shape(0) != size ||
            scene_depths.shape(1) != 4 || scene_colours.shape(0) != size || scene_colours.shape(1) != 4 ||
            scene_colours.shape(2) != 3 || errors.shape(1) != 3 || out.shape(1) != 3)
            throw std::invalid_argument("the arrays given to match do not fit each other");
        nb::gil_scoped_release release;
        match({int(count), int(table.shape(0)), starts.data(), pixels.data(), depths.data(), bright.data(), table.data()},
              {scene_depths.data(), scene_colours.data(), errors.data()}, out.data());
    }, "starts"_a.noconvert(), "pixels"_a.noconvert(), "depths"_a.noconvert(), "bright"_a.noconvert(), "table"_a.noconvert(),
       "scene_depths"_a.noconvert(), "scene_colours"_a.noconvert(), "errors"_a.noconvert(), "out"_a.noconvert(),
       "Growth of the error of a picture with each template, see match.h.");
}
