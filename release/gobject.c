/* What libmypaint needs of GObject: one function, with which it would make its types known to bindings of other
   languages. Limner asks for none of them, so in a wheel this takes the place of GObject and of all that it needs
   (GLib, libffi, PCRE2). */
#include <stdlib.h>

unsigned long g_boxed_type_register_static(const char *name, void *copy, void *release) {
  (void)name, (void)copy, (void)release;
  abort();
}
