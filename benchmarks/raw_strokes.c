/* The least that painting can cost: libmypaint called in a loop from C, on one 64x64 tile.
 *
 *     raw_strokes BRUSH.myb EVENTS        EVENTS: floats in rows of six, see `struct event`
 *
 * Prints CPU seconds and wall seconds of the loop. A new canvas clears the tile and keeps the brush. */

#define _POSIX_C_SOURCE 200809L
#include <mypaint-brush.h>
#include <mypaint-tiled-surface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct event {
    float kind; /* 0 event, 1 first event of a stroke, 2 the same after lifting the pen, 3 the same on a new canvas */
    float x, y, pressure, zoom, log_radius;
};

static uint16_t tile[64 * 64 * 4], outside[64 * 64 * 4];

static void fill(uint16_t *values) {
    for (int i = 0; i < 64 * 64 * 4; i++) values[i] = 1 << 15;
}
static void start(MyPaintTiledSurface2 *self, MyPaintTileRequest *request) {
    (void)self;
    request->buffer = request->tx == 0 && request->ty == 0 ? tile : outside;
}
static void end(MyPaintTiledSurface2 *self, MyPaintTileRequest *request) {
    (void)self;
    if (request->buffer == outside && !request->readonly) fill(outside);
}
static double seconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec + 1e-9 * now.tv_nsec;
}
static char *read_all(const char *path, long *size) {
    FILE *file = fopen(path, "rb");
    if (!file) exit(2);
    fseek(file, 0, SEEK_END);
    *size = ftell(file);
    rewind(file);
    char *data = calloc(*size + 1, 1);
    if (fread(data, 1, *size, file) != (size_t)*size) exit(2);
    fclose(file);
    return data;
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    long size;
    MyPaintBrush *brush = mypaint_brush_new();
    mypaint_brush_from_defaults(brush);
    if (!mypaint_brush_from_string(brush, read_all(argv[1], &size))) return 2;
    mypaint_brush_set_base_value(brush, MYPAINT_BRUSH_SETTING_PAINT_MODE, 0);
    for (int i = 0; i < 3; i++)
        mypaint_brush_set_base_value(brush, (MyPaintBrushSetting)(MYPAINT_BRUSH_SETTING_COLOR_H + i), 0);
    struct event *events = (struct event *)read_all(argv[2], &size);
    const long count = size / (long)sizeof(struct event);

    MyPaintTiledSurface2 surface;
    mypaint_tiled_surface2_init(&surface, start, end);
    fill(tile);
    fill(outside);
    int painting = 0;
    const double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), wall = seconds(CLOCK_MONOTONIC);
    for (long i = 0; i < count; i++) {
        const struct event *e = &events[i];
        if (e->kind > 0) {
            if (painting) mypaint_surface2_end_atomic(&surface.parent, NULL);
            if (e->kind == 3) fill(tile);
            if (e->kind >= 2) {
                mypaint_brush_reset(brush);
                mypaint_brush_new_stroke(brush);
            }
            mypaint_brush_set_base_value(brush, MYPAINT_BRUSH_SETTING_RADIUS_LOGARITHMIC, e->log_radius);
            mypaint_surface_begin_atomic(&surface.parent.parent);
            painting = 1;
        }
        mypaint_brush_stroke_to_2(brush, &surface.parent, e->x, e->y, e->pressure, 0, 0, 0.1f, e->zoom, 0, 0);
    }
    mypaint_surface2_end_atomic(&surface.parent, NULL);
    printf("%.9f %.9f\n", seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu, seconds(CLOCK_MONOTONIC) - wall);
    return 0;
}
