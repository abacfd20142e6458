/** Conversions between Hugging Face and torch_dist as answers to events: planned runs are converted, last cuts exported. */
@NullMarked
package dev.sluice.converter;

import org.jspecify.annotations.NullMarked;
