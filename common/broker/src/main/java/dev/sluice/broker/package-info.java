/** The real Kafka broker (KRaft, one node) inside a JVM: for a laptop, a single node and every integration test. */
@NullMarked
package dev.sluice.broker;

import org.jspecify.annotations.NullMarked;
