/** The training worker: its HTTP API, its operations and the policy's training step. */
@org.jspecify.annotations.NullMarked
package dev.sluice.cpu.worker;
