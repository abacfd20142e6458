/** The catalogue of constraints on a candidate: each one a named object; broken ones are collected, never thrown. */
@NullMarked
package dev.sluice.domain.constraint;

import org.jspecify.annotations.NullMarked;
