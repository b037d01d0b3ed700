/* Asks a policy for 2,000 observations and prints one checksum of its Q values' bits and one of its actions.
   The same file runs on the board, with board.c, and on the host, where print is puts. */
#include <stdint.h>
#include <string.h>

int policy_act(const float *obs);
void policy_q(const float *obs, float *q);
void print(const char *text);

static void print_hex(uint32_t value) {
    char text[10];
    int i;
    for (i = 0; i < 8; i++) text[i] = "0123456789abcdef"[value >> (28 - 4 * i) & 15];
    text[8] = '\n';
    text[9] = 0;
    print(text);
}

static uint32_t mix(uint32_t sum, uint32_t value) {
    return (sum ^ value) * 16777619u;
}

int main(void) {
    static float obs[INPUTS], q[ACTIONS];
    uint32_t random = 1, values = 2166136261u, actions = 2166136261u, bits;
    int i, d, a;
    for (i = 0; i < 2000; i++) {
        for (d = 0; d < INPUTS; d++) {
            random = random * 1664525u + 1013904223u;
            obs[d] = (float)(int32_t)random * (1.5f / 2147483648.0f);
        }
        policy_q(obs, q);
        for (a = 0; a < ACTIONS; a++) {
            memcpy(&bits, &q[a], sizeof bits);
            values = mix(values, bits);
        }
        actions = mix(actions, (uint32_t)policy_act(obs));
    }
    print_hex(values);
    print_hex(actions);
    return 0;
}
