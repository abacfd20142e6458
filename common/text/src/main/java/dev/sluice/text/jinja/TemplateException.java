package dev.sluice.text.jinja;

import org.jspecify.annotations.Nullable;

/** A template that cannot be read, or that cannot be rendered with the values it was given. */
public final class TemplateException extends RuntimeException {
    TemplateException(String message) {
        super(message);
    }

    private TemplateException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    TemplateException at(int line) {
        return new TemplateException("line " + line + ": " + getMessage(), this);
    }
}
