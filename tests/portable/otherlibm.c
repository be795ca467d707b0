/* A C library whose functions have other digits, wherever a result isn't exact: to be loaded before the real one.
   Real ones differ in the last bits alone, which rounding to float32 would mostly hide: so these differ by more.

   cc -shared -fPIC -fno-builtin -o other.so otherlibm.c -ldl -lm; LD_PRELOAD=./other.so python … */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

static double other(double y) {
    uint64_t bits;
    memcpy(&bits, &y, sizeof bits);
    if (!isfinite(y) || !(bits & 0xfffff)) return y; /* few digits: exact */
    return y * (bits & 0x1000 ? 1 + 0x1p-24 : 1 - 0x1p-24); /* quotients differ, too */
}

static float otherf(float y) {
    uint32_t bits;
    memcpy(&bits, &y, sizeof bits);
    if (!isfinite(y) || !(bits & 0xff)) return y;
    return nextafterf(y, bits & 0x100 ? INFINITY : -INFINITY);
}

#define OF_ONE(name) \
    double name(double x) { return other(((double (*)(double))dlsym(RTLD_NEXT, #name))(x)); } \
    float name##f(float x) { return otherf(((float (*)(float))dlsym(RTLD_NEXT, #name "f"))(x)); }
#define OF_TWO(name) \
    double name(double x, double y) { return other(((double (*)(double, double))dlsym(RTLD_NEXT, #name))(x, y)); } \
    float name##f(float x, float y) { return otherf(((float (*)(float, float))dlsym(RTLD_NEXT, #name "f"))(x, y)); }

OF_ONE(exp) OF_ONE(exp2) OF_ONE(expm1) OF_ONE(log) OF_ONE(log2) OF_ONE(log10) OF_ONE(log1p)
OF_ONE(sin) OF_ONE(cos) OF_ONE(tan) OF_ONE(asin) OF_ONE(acos) OF_ONE(atan)
OF_ONE(sinh) OF_ONE(cosh) OF_ONE(tanh) OF_ONE(asinh) OF_ONE(acosh) OF_ONE(atanh)
OF_ONE(erf) OF_ONE(erfc) OF_ONE(lgamma) OF_ONE(tgamma) OF_ONE(cbrt)
OF_TWO(pow) OF_TWO(hypot) OF_TWO(atan2)
