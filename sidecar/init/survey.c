#include "survey.h"
void survey_start(const struct options *options) { (void)options; }
