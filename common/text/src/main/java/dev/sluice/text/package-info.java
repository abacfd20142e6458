/** Tokenizers of Hugging Face model directories, read from the disk alone. */
@NullMarked
package dev.sluice.text;

import org.jspecify.annotations.NullMarked;
