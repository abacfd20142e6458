/** Tasks of groups: taking them, giving them to engines that may do them, and answering for every one. */
@NullMarked
package dev.sluice.rollout.task;

import org.jspecify.annotations.NullMarked;
