/** A bounded interpreter of the Jinja2 that chat templates are written in; nothing here reaches a class, a file or a network. */
@NullMarked
package dev.sluice.text.jinja;

import org.jspecify.annotations.NullMarked;
