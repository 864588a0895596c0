// Keeps the stream waiting, so that the host can put work behind before the work begins: `StreamClock`'s times are then the card's.

extern "C" __global__ void pause(i64 nanoseconds) {
    i64 start, now;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(start));
    do asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
    while (now - start < nanoseconds);
}
