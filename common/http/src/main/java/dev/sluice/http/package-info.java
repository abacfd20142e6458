/** HTTP/1.1 calls with JSON bodies that end by a deadline, in bounded memory, with an error a person can act on. */
@NullMarked
package dev.sluice.http;

import org.jspecify.annotations.NullMarked;
