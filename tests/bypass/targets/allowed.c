/* The program that is in scope. */
int main(void) { return 0; }
