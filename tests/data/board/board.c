/* Start-up of a bare Cortex-M4 and its way to print and to end: semihosting, which QEMU answers. */
#include <stdint.h>

int main(void);
void reset(void);
void print(const char *text);

extern uint32_t data_start, data_end, data_load, bss_start, bss_end, stack_top;

static int call(int number, const void *argument) {
    register int r0 __asm__("r0") = number;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

void print(const char *text) {
    call(0x04, text); /* SYS_WRITE0 */
}

void reset(void) {
    static uint32_t status[2] = {0x20026, 0}; /* ADP_Stopped_ApplicationExit */
    uint32_t *to, *from = &data_load;
    *(volatile uint32_t *)0xE000ED88 |= 0xFu << 20; /* CPACR: the floating-point unit */
    __asm__ volatile("dsb\n isb");
    for (to = &data_start; to < &data_end;) *to++ = *from++;
    for (to = &bss_start; to < &bss_end;) *to++ = 0;
    status[1] = (uint32_t)main();
    call(0x20, status); /* SYS_EXIT_EXTENDED */
    for (;;) {
    }
}

static void fault(void) {
    print("fault\n");
    for (;;) {
    }
}

typedef void (*entry)(void);
__attribute__((section(".vectors"), used)) static const entry vectors[] = {
    (entry)&stack_top, reset, fault, fault, fault, fault, fault,
};
