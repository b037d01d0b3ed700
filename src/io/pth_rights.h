// What the pickle of a PyTorch file may name: what torch.save writes for tensors and modules.
#ifndef DQ_IO_PTH_RIGHTS_H
#define DQ_IO_PTH_RIGHTS_H

#include "io/pickle.h"

dq_pickle_right dq_pth_right(const char *module, const char *name);

#endif
