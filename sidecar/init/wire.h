/* protocol.h as it is on the wire: packed. Everything in C includes this and never protocol.h itself. */
#ifndef INSCOPE_WIRE_H
#define INSCOPE_WIRE_H

#pragma pack(push, 1)
#include "protocol.h"
#pragma pack(pop)

#endif
