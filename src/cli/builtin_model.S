// The bytes of the model inside, page-aligned as a mapped file would be. QN_BUILTIN_MODEL is its path; see CMakeLists.txt.
        .section .rodata
        .balign 4096
        .global qn_builtin_model_begin
        .global qn_builtin_model_end
qn_builtin_model_begin:
#ifdef QN_BUILTIN_MODEL
        .incbin QN_BUILTIN_MODEL
#endif
qn_builtin_model_end:
        .byte 0
        .section .note.GNU-stack, "", @progbits
