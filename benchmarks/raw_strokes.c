/* The least that painting can cost: libmypaint called in a loop from C, on canvases of one 64x64 tile.
 *
 * Compiled to a shared library by painting.py. `raw_canvases` makes canvases, each with a brush of its own, out of the
 * text of a brush file, and returns NULL when it cannot read that or has no memory; they are never freed. `raw_strokes`
 * paints events, rows of seven floats; a cleared canvas keeps its brush. */

#include <mypaint-brush.h>
#include <mypaint-tiled-surface.h>
#include <stdlib.h>

struct event {
    float kind; /* 0 event, 1 first event of a stroke, 2 the same after lifting the pen, 3 the same on a cleared canvas */
    float canvas, x, y, pressure, zoom, log_radius;
};

enum { VALUES = 64 * 64 * 4 };

struct canvas {
    MyPaintBrush *brush;
    uint16_t tile[64 * 64 * 4];
};

static _Thread_local uint16_t *tile, outside[64 * 64 * 4];

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

struct canvas *raw_canvases(const char *brush_file, int count) {
    struct canvas *canvases = malloc(sizeof(struct canvas) * (size_t)count);
    for (int i = 0; canvases && i < count; i++) {
        MyPaintBrush *brush = canvases[i].brush = mypaint_brush_new();
        mypaint_brush_from_defaults(brush);
        if (!mypaint_brush_from_string(brush, brush_file)) return NULL;
        mypaint_brush_set_base_value(brush, MYPAINT_BRUSH_SETTING_PAINT_MODE, 0);
        for (int k = 0; k < 3; k++)
            mypaint_brush_set_base_value(brush, (MyPaintBrushSetting)(MYPAINT_BRUSH_SETTING_COLOR_H + k), 0);
    }
    return canvases;
}

void raw_strokes(struct canvas *canvases, const struct event *events, long count) {
    MyPaintBrush *brush = NULL;
    MyPaintTiledSurface2 surface;
    mypaint_tiled_surface2_init(&surface, start, end);
    fill(outside);
    for (long i = 0; i < count; i++) {
        const struct event *e = &events[i];
        if (e->kind > 0) {
            if (i > 0) mypaint_surface2_end_atomic(&surface.parent, NULL);
            brush = canvases[(int)e->canvas].brush;
            tile = canvases[(int)e->canvas].tile;
            if (e->kind == 3) fill(tile);
            if (e->kind >= 2) {
                mypaint_brush_reset(brush);
                mypaint_brush_new_stroke(brush);
            }
            mypaint_brush_set_base_value(brush, MYPAINT_BRUSH_SETTING_RADIUS_LOGARITHMIC, e->log_radius);
            mypaint_surface_begin_atomic(&surface.parent.parent);
        }
        mypaint_brush_stroke_to_2(brush, &surface.parent, e->x, e->y, e->pressure, 0, 0, 0.1f, e->zoom, 0, 0);
    }
    mypaint_surface2_end_atomic(&surface.parent, NULL);
    mypaint_tiled_surface2_destroy(&surface);
}
