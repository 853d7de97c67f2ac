"""A campaign's hands: what is done in one repository. A clone if it is a URL, a child that makes and judges the change,
and the code host. It lies here because it needs both processes of ours (`surfaces`) and hosts; what decides and records
is `programs.campaigning`, which knows neither.
"""
