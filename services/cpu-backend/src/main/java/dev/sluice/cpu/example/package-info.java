/** Makes the example model that ships with Sluice: a warm-up that leaves room for reinforcement learning. */
@org.jspecify.annotations.NullMarked
package dev.sluice.cpu.example;
