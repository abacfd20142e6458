/** A small JSON server on the JDK's own HTTP server, used by the engine and by the worker; error bodies are the caller's. */
@NullMarked
package dev.sluice.cpu.http;

import org.jspecify.annotations.NullMarked;
