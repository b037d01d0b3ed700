// A terminal as pictures need it: raw keys, the alternate screen, and all of it undone however the program
// ends.
#ifndef DEEPQ_DRAW_TERMINAL_H
#define DEEPQ_DRAW_TERMINAL_H

#include <deepq/base.h>

// Takes standard input and output, which must be a terminal. On Ctrl-Z the terminal is given back until the
// program goes on; when it is killed or crashes, before it dies.
dq_status dq_terminal_take(dq_error *error);
void dq_terminal_give_back(void);

// Whether the size changed, or what was shown is lost, since the last time this was asked.
bool dq_terminal_changed(void);

// Cells, and pixels of a cell (0 where the terminal does not tell).
void dq_terminal_size(int *columns, int *rows, int *cell_width, int *cell_height);

// Writes all of it; false when the terminal is gone.
bool dq_terminal_write(const char *text, size_t size);

// The next key or DQ_KEY_NONE, as dq_screen_class.wait.
int dq_terminal_key(double seconds);

// Asks the terminal what pictures it can show: whether it answered with yes for kitty's and for sixels.
void dq_terminal_ask(bool *kitty, bool *sixel);

#endif
