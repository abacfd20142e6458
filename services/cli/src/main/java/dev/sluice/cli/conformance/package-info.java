/** Checks of a server that says it speaks SGLang's API, against what its clients send and read. */
@org.jspecify.annotations.NullMarked
package dev.sluice.cli.conformance;
