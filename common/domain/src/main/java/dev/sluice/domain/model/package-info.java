/** What a model is, read from its config.json: sizes of every layer, parameter counts, published configurations. */
@NullMarked
package dev.sluice.domain.model;

import org.jspecify.annotations.NullMarked;
