/** What tests share: one real broker, events read as a test reads them, and the walls between modules. */
@NullMarked
package dev.sluice.testkit;

import org.jspecify.annotations.NullMarked;
