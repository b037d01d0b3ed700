// What the tiled products share, after vec_*.h.
#ifndef DQ_KERNEL_X86_TILES_H
#define DQ_KERNEL_X86_TILES_H

#define PANEL_VECS (16 / VEC_LANES)

// How many rows the next tiles have, and how many such tiles follow: `most` as long as what remains after
// them does not leave a tile too low to fill the multiply-add pipes.
static int tile_rows(int most, int left, int *tiles) {
    int count = (left + most - 1) / most; // tiles in all
    int full = left % most == 0 ? count : count > 3 ? count - 3 : 0;
    *tiles = full > 0 ? full : 1;
    return full > 0 ? most : (left + count - 1) / count;
}

#endif
