/** Says every two seconds what this instance is and whether it takes work. */
@NullMarked
package dev.sluice.rollout.heartbeat;

import org.jspecify.annotations.NullMarked;
