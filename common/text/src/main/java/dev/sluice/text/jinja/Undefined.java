package dev.sluice.text.jinja;

/**
 * What a name without a value stands for: it prints as nothing and counts as false; every other use is an error.
 *
 * @param message what is not there
 */
record Undefined(String message) {
    static Undefined name(String name) {
        return new Undefined("'" + name + "' is undefined");
    }

    TemplateException used() {
        return new TemplateException(message);
    }
}
