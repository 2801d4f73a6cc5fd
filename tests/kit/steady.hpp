#pragma once
/// What makes the path of a process differ from one trial to the next, and what this process wants instead.
///
/// malloc(3) takes another path after other allocations, and those of the harness differ from trial to trial; the
/// digits of one random number take another path than those of the next; and while a process is stepped through, the
/// time that passes is a thousand times longer. A program whose allocator, getrandom(2) and clock look here (the kill
/// table's do) gives a process what is the same each time; elsewhere this changes nothing.
namespace kit {

/// Memory that always begins the same.
inline volatile bool wants_steady_memory = false;
/// A clock that moves by a microsecond each time that it is read, from the time of its first reading.
inline volatile bool wants_steady_clock = false;
/// Whole hours by which the clock is ahead of the kernel's: who would look again in 50 ms sleeps so much longer, until
/// it is woken or gets a signal, however long another process takes under the harness.
inline volatile int clock_hours_ahead = 0;
/// Random bytes that follow from this number, which tells the processes of a trial apart; 0: truly random ones.
inline volatile unsigned wants_steady_random = 0;

}  // namespace kit
