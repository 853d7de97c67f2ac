"""The failure laboratory: attacks on the real engine, in scratch repositories, with a negative control for each.

An attack that is stopped proves little unless it would have worked without the defence. So each attack names the one
defence that has to stop it, and can be made with that defence switched off: then it must succeed, or the check is
vacuous. Defences are switched off in this process only, on a scratch repository only, and by nothing outside of here.
"""
