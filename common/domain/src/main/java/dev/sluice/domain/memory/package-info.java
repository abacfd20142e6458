/** Memory of GPUs and hosts, KV capacity and disk that a candidate needs, computed from its model and layouts alone. */
@NullMarked
package dev.sluice.domain.memory;

import org.jspecify.annotations.NullMarked;
